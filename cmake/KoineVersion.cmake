# generated/version.hpp: what `koine --version --json` and the manifest say of this build.
# The commit is git's, or -DKOINE_COMMIT=… where the sources come without git (containers).
find_package(Git QUIET)
if(NOT KOINE_COMMIT)
  set(KOINE_COMMIT "unknown")
  if(GIT_FOUND)
    execute_process(COMMAND ${GIT_EXECUTABLE} -C ${CMAKE_CURRENT_SOURCE_DIR} rev-parse --short=12 HEAD
                    OUTPUT_VARIABLE commit OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
    if(NOT failed)
      set(KOINE_COMMIT ${commit})
    endif()
  endif()
endif()
configure_file(${CMAKE_CURRENT_SOURCE_DIR}/cmake/version.hpp.in ${CMAKE_CURRENT_BINARY_DIR}/generated/version.hpp @ONLY)
