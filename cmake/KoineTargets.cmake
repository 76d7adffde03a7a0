# What every target of ours is compiled with. No global flags.

find_program(KOINE_CCACHE ccache)
if(KOINE_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${KOINE_CCACHE})
endif()

# koine_target(NAME): warnings as errors; products and sums are rounded apart (contract); a sanitized build is not optimised,
# which halves its time.
function(koine_target name)  # -Wno-restrict: g++ 12 warns falsely in std::string::insert
  target_compile_options(${name} PRIVATE
    $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Werror -Wshadow -Wno-psabi -Wno-restrict -ffp-contract=off -fvisibility=hidden>)
  target_compile_definitions(${name} PRIVATE OMPI_SKIP_MPICXX)
  if(KOINE_SANITIZE)
    # -Wno-maybe-uninitialized: g++ 12 warns falsely in std::regex where it is instrumented.
    target_compile_options(${name} PRIVATE -fsanitize=${KOINE_SANITIZE} -fno-omit-frame-pointer -Wno-maybe-uninitialized -O0 -g1)
    target_link_options(${name} PUBLIC -fsanitize=${KOINE_SANITIZE})
  endif()
endfunction()

# koine_simd_sources(TARGET): files named *_avx2.cpp, *_avx512.cpp and *_avx512vnni.cpp get their instruction set; chosen at run time.
function(koine_simd_sources name)
  if(NOT CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    return()
  endif()
  get_target_property(sources ${name} SOURCES)
  foreach(source IN LISTS sources)
    if(source MATCHES "_avx2\\.cpp$")
      set_source_files_properties(${source} PROPERTIES COMPILE_OPTIONS "-mavx2;-mfma;-mf16c" SKIP_PRECOMPILE_HEADERS ON)
    elseif(source MATCHES "_avx512(vnni)?\\.cpp$")
      set_source_files_properties(${source} PROPERTIES SKIP_PRECOMPILE_HEADERS ON
        COMPILE_OPTIONS "-mavx512f;-mavx512vl;-mavx512bw;-mavx512dq;-mavx2;-mfma;-mf16c;-mprefer-vector-width=512;$<$<BOOL:${CMAKE_MATCH_1}>:-mavx512vnni>")
    endif()
  endforeach()
endfunction()

# koine_precompile(TARGET HEADER...): parsed once where KOINE_PRECOMPILE is on. The `cpu` preset leaves it off: there every file must include what it uses.
function(koine_precompile name)
  if(NOT KOINE_PRECOMPILE)
    return()
  endif()
  target_precompile_headers(${name} PRIVATE ${ARGN})
  # g++ 12 warns of the standard library itself where that came precompiled.
  target_compile_options(${name} PRIVATE $<$<COMPILE_LANGUAGE:CXX>:-Wno-stringop-overflow -Wno-array-bounds -Wno-stringop-overread>)
endfunction()
