# One interface target with everything the library needs.
include(KoineFind)
find_library(KOINE_OPENBLAS openblas REQUIRED)
find_library(KOINE_LAPACKE lapacke REQUIRED)
find_path(KOINE_CBLAS_INCLUDE cblas.h PATH_SUFFIXES x86_64-linux-gnu aarch64-linux-gnu openblas REQUIRED)

add_library(koine_dependencies INTERFACE)
target_include_directories(koine_dependencies SYSTEM INTERFACE $<BUILD_INTERFACE:${KOINE_CBLAS_INCLUDE}>)
target_link_libraries(koine_dependencies INTERFACE MPI::MPI_C PkgConfig::HDF5 PkgConfig::XXHASH yaml-cpp fmt::fmt
  nlohmann_json::nlohmann_json OpenSSL::Crypto ZLIB::ZLIB ${KOINE_LAPACKE} ${KOINE_OPENBLAS} Threads::Threads ${CMAKE_DL_LIBS})

find_package(CLI11 REQUIRED)
add_library(koine_cli INTERFACE)
target_link_libraries(koine_cli INTERFACE CLI11::CLI11)
