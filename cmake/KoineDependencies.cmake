# One interface target with everything the library needs.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(MPI REQUIRED COMPONENTS C)
find_package(yaml-cpp REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(OpenSSL REQUIRED COMPONENTS Crypto)
find_package(ZLIB REQUIRED)
pkg_check_modules(HDF5 REQUIRED IMPORTED_TARGET hdf5-serial)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
find_library(KOINE_OPENBLAS openblas REQUIRED)
find_library(KOINE_LAPACKE lapacke REQUIRED)
find_path(KOINE_CBLAS_INCLUDE cblas.h PATH_SUFFIXES x86_64-linux-gnu aarch64-linux-gnu openblas REQUIRED)

add_library(koine_dependencies INTERFACE)
target_include_directories(koine_dependencies SYSTEM INTERFACE ${KOINE_CBLAS_INCLUDE})
target_link_libraries(koine_dependencies INTERFACE MPI::MPI_C PkgConfig::HDF5 PkgConfig::XXHASH yaml-cpp fmt::fmt
  nlohmann_json::nlohmann_json OpenSSL::Crypto ZLIB::ZLIB ${KOINE_LAPACKE} ${KOINE_OPENBLAS} Threads::Threads ${CMAKE_DL_LIBS})

find_package(CLI11 REQUIRED)
add_library(koine_cli INTERFACE)
target_link_libraries(koine_cli INTERFACE CLI11::CLI11)
