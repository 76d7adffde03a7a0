# cpack -G DEB: koine, the program, and libkoine-dev, what C++ projects need to use the library.
# The target koine_package makes the files that only these packages have; build it before cpack.

set(KOINE_MAINTAINER "The Koine developers <koine@localhost>" CACHE STRING "Who answers for the Debian packages: NAME <ADDRESS>")

# Texts that Debian wants: EXCLUDE_FROM_ALL keeps them out of a plain `cmake --install`.
set(koine_debian_dir ${PROJECT_BINARY_DIR}/debian)
string(TIMESTAMP KOINE_PACKAGE_DATE "%a, %d %b %Y %H:%M:%S +0000" UTC)  # of SOURCE_DATE_EPOCH where that is set
configure_file(packaging/debian/changelog.in ${koine_debian_dir}/changelog.Debian @ONLY)
configure_file(packaging/debian/copyright.in ${koine_debian_dir}/copyright @ONLY)
koine_compress(${koine_debian_dir}/changelog.Debian ${koine_debian_dir}/changelog.Debian.gz)
koine_compress(${PROJECT_SOURCE_DIR}/CHANGELOG.md ${koine_debian_dir}/changelog.gz)
set(koine_changelogs ${koine_debian_dir}/changelog.Debian.gz ${koine_debian_dir}/changelog.gz)
add_custom_target(koine_package DEPENDS koine koine_core koine_shell ${koine_changelogs})
foreach(row "runtime:koine" "development:libkoine-dev")
  string(REPLACE ":" ";" row "${row}")
  list(GET row 0 component)
  list(GET row 1 package)
  install(FILES ${koine_debian_dir}/copyright ${koine_changelogs}
          DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${package} COMPONENT ${component} EXCLUDE_FROM_ALL)
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME koine)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "${KOINE_MAINTAINER}")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_ALL runtime development)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

set(CPACK_DEBIAN_RUNTIME_PACKAGE_NAME koine)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SECTION science)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_DEPENDS openmpi-bin)
set(CPACK_DEBIAN_RUNTIME_PACKAGE_SUGGESTS "python3, slurm-client")
set(CPACK_COMPONENT_RUNTIME_DESCRIPTION
"Koine takes fine-tuned Whisper models, one per language, and merges what each
has learned into the model that they come from: by the low-rank part and the
largest entries of every difference, by task arithmetic or by averages.
.
It runs alone or on many processes with MPI, with the same bytes as result,
goes on where a killed run stopped, and checks what it wrote.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libkoine-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
# What KoineFind.cmake and KoineDependencies.cmake look for.
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libfmt-dev, libhdf5-dev, liblapacke-dev, libopenblas-dev, libopenmpi-dev, libssl-dev,\
 libxxhash-dev, libyaml-cpp-dev, nlohmann-json3-dev, pkg-config, zlib1g-dev")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
"Headers, the static library and the CMake package of Koine, for C++ projects
that call find_package(koine).")
include(CPack)
