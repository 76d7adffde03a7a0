# libkoine_cuda.so: the CUDA backend and its kernels, built where KOINE_CUDA says so. A library of its own, so that the program and its
# packages need no CUDA.
if(NOT KOINE_CUDA MATCHES "^(AUTO|ON|OFF)$")
  message(FATAL_ERROR "KOINE_CUDA is '${KOINE_CUDA}'; expected AUTO, ON or OFF")
endif()
if(KOINE_CUDA STREQUAL "OFF")
  return()
endif()

if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
  find_program(CMAKE_CUDA_COMPILER nvcc HINTS $ENV{CUDA_HOME}/bin /usr/local/cuda/bin)
endif()
if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
  if(KOINE_CUDA STREQUAL "ON")
    message(FATAL_ERROR "KOINE_CUDA=ON, but there is no nvcc on PATH, in CUDA_HOME or /usr/local/cuda; set CUDACXX, or KOINE_CUDA=OFF")
  endif()
  message(STATUS "CUDA: no nvcc found, building for the CPU alone")
  unset(CMAKE_CUDA_COMPILER CACHE)
  return()
endif()

if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 80 90)
endif()
set(CMAKE_CUDA_RUNTIME_LIBRARY Shared)
enable_language(CUDA)
# CMake 3.25 knows no C++20 for nvcc: "CUDA_STANDARD 20" would be dropped without a word.
if(NOT DEFINED CMAKE_CUDA20_STANDARD_COMPILE_OPTION AND CMAKE_CUDA_COMPILER_ID STREQUAL "NVIDIA")
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION "-std=c++20")
  set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION "-std=c++20")
  list(APPEND CMAKE_CUDA20_COMPILE_FEATURES cuda_std_20)
  list(APPEND CMAKE_CUDA_COMPILE_FEATURES cuda_std_20)
endif()
set(CMAKE_CUDA_STANDARD 20)
set(CMAKE_CUDA_STANDARD_REQUIRED ON)
if(KOINE_CCACHE AND NOT CMAKE_CUDA_COMPILER_LAUNCHER)
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${KOINE_CCACHE})
endif()
# 12.6 is the first with cusolverDnXsyevBatched; its cuSOLVER 11.7.1.2 is said to need a cleared workspace for it, 11.7.3.90 not
# (github.com/pytorch/pytorch/issues/192483).
find_package(CUDAToolkit 12.8 REQUIRED)

file(GLOB koine_kernels CONFIGURE_DEPENDS kernels/*.cu)
file(GLOB koine_cuda_sources CONFIGURE_DEPENDS src/backend/cuda/*.cpp)
# core/dtype.cpp names formats in messages; the library carries its own copy.
add_library(koine_cuda SHARED ${koine_kernels} ${koine_cuda_sources} src/core/dtype.cpp)
# --fmad=false: contract of the numbers, products and sums are rounded apart.
target_compile_options(koine_cuda PRIVATE
  $<$<COMPILE_LANGUAGE:CUDA>:--fmad=false -Werror=all-warnings -Xcompiler=-Wall,-Wextra,-Werror>
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Werror -Wshadow -ffp-contract=off>)
target_include_directories(koine_cuda PUBLIC ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/src)
target_link_libraries(koine_cuda PUBLIC CUDA::cudart PRIVATE CUDA::cublas CUDA::cusolver)
add_dependencies(koine koine_cuda)  # opened by the program when it is wanted, never linked
# Not in packages: they depend on no CUDA.
install(TARGETS koine_cuda LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT cuda EXCLUDE_FROM_ALL)

# build/koine-portable.tar.xz, for machines with a GPU and no network. Programs that are not built here are taken from the CPU build.
add_custom_target(portable COMMAND ${PROJECT_SOURCE_DIR}/scripts/portable.sh WORKING_DIRECTORY ${PROJECT_SOURCE_DIR} USES_TERMINAL)
add_dependencies(portable koine_cuda)
if(KOINE_TESTS)
  add_dependencies(portable cuda_tests)
endif()
