# One interface target with everything the library needs.
include(CheckCXXSourceCompiles)
include(CheckLibraryExists)
include(KoineFind)
find_library(KOINE_OPENBLAS openblas REQUIRED)
set(koine_blas ${KOINE_OPENBLAS})
# LAPACKE is inside OpenBLAS as its makers build it (Spack), a library of its own in Debian.
check_library_exists(${KOINE_OPENBLAS} LAPACKE_dsyevr "" KOINE_OPENBLAS_HAS_LAPACKE)
if(NOT KOINE_OPENBLAS_HAS_LAPACKE)
  find_library(KOINE_LAPACKE lapacke REQUIRED)
  list(PREPEND koine_blas ${KOINE_LAPACKE})
endif()
# On x86, xxHash may choose its vectors by the CPU: twice as fast where it does.
set(CMAKE_REQUIRED_LIBRARIES PkgConfig::XXHASH)
check_cxx_source_compiles("#include <xxh_x86dispatch.h>
int main() { return static_cast<int>(XXH3_128bits_update(nullptr, nullptr, 0)); }" KOINE_XXHASH_DISPATCHES)
unset(CMAKE_REQUIRED_LIBRARIES)
if(KOINE_XXHASH_DISPATCHES)
  set_source_files_properties(src/core/hash.cpp PROPERTIES COMPILE_DEFINITIONS KOINE_XXHASH_DISPATCHES)
endif()
find_path(KOINE_CBLAS_INCLUDE cblas.h PATH_SUFFIXES x86_64-linux-gnu aarch64-linux-gnu openblas REQUIRED)

add_library(koine_dependencies INTERFACE)
target_include_directories(koine_dependencies SYSTEM INTERFACE $<BUILD_INTERFACE:${KOINE_CBLAS_INCLUDE}>)
target_link_libraries(koine_dependencies INTERFACE MPI::MPI_C PkgConfig::HDF5 PkgConfig::XXHASH yaml-cpp fmt::fmt
  nlohmann_json::nlohmann_json OpenSSL::Crypto ZLIB::ZLIB ${koine_blas} Threads::Threads ${CMAKE_DL_LIBS})

find_package(CLI11 REQUIRED)
add_library(koine_cli INTERFACE)
target_link_libraries(koine_cli INTERFACE CLI11::CLI11)
