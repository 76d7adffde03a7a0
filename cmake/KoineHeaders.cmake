# koine_headers: every header compiled alone, so that each includes what it uses. Not in `all`.
file(GLOB_RECURSE koine_headers CONFIGURE_DEPENDS RELATIVE ${PROJECT_SOURCE_DIR}
     ${PROJECT_SOURCE_DIR}/src/*.hpp ${PROJECT_SOURCE_DIR}/jobs/*.hpp ${PROJECT_SOURCE_DIR}/kernels/*.hpp)
list(FILTER koine_headers EXCLUDE REGEX "^src/backend/cuda/")  # these include CUDA's
set(koine_header_units)
foreach(header IN LISTS koine_headers)
  set(unit ${CMAKE_CURRENT_BINARY_DIR}/headers/${header}.cpp)
  file(CONFIGURE OUTPUT ${unit} CONTENT "#include \"@PROJECT_SOURCE_DIR@/@header@\"\n" @ONLY)
  list(APPEND koine_header_units ${unit})
endforeach()
add_library(koine_headers OBJECT EXCLUDE_FROM_ALL ${koine_header_units})
koine_target(koine_headers)
target_compile_options(koine_headers PRIVATE -O0)
target_include_directories(koine_headers PRIVATE ${PROJECT_SOURCE_DIR})
target_link_libraries(koine_headers PRIVATE koine_core koine_cli)
