# cmake --install: the program with its man page and completions, the library with its headers and CMake package.
# cpack -G DEB: the same as a Debian package.
include(CMakePackageConfigHelpers)

# The man page and completions are what the program itself prints.
set(koine_shell_files)
foreach(row "man:koine.1" "completion bash:koine.bash" "completion zsh:_koine" "completion fish:koine.fish")
  string(REPLACE ":" ";" row "${row}")
  list(GET row 0 command)
  list(GET row 1 file)
  string(REPLACE " " ";" command "${command}")
  add_custom_command(OUTPUT ${PROJECT_BINARY_DIR}/shell/${file} DEPENDS koine VERBATIM
    COMMAND ${CMAKE_COMMAND} -E make_directory ${PROJECT_BINARY_DIR}/shell
    COMMAND sh -c "\"$0\" \"$@\" > ${file}.tmp && mv ${file}.tmp ${file}" $<TARGET_FILE:koine> ${command}
    WORKING_DIRECTORY ${PROJECT_BINARY_DIR}/shell)
  list(APPEND koine_shell_files ${PROJECT_BINARY_DIR}/shell/${file})
endforeach()
add_custom_target(koine_shell ALL DEPENDS ${koine_shell_files})

install(TARGETS koine RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES ${PROJECT_BINARY_DIR}/shell/koine.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${PROJECT_BINARY_DIR}/shell/koine.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME koine)
install(FILES ${PROJECT_BINARY_DIR}/shell/_koine DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions)
install(FILES ${PROJECT_BINARY_DIR}/shell/koine.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR})

set(koine_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/koine)
install(TARGETS koine_core koine_dependencies EXPORT koineTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY src/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/koine FILES_MATCHING PATTERN "*.hpp")
install(EXPORT koineTargets NAMESPACE koine:: DESTINATION ${koine_package_dir})
configure_package_config_file(cmake/koineConfig.cmake.in ${PROJECT_BINARY_DIR}/koineConfig.cmake
                              INSTALL_DESTINATION ${koine_package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/koineConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/koineConfig.cmake ${PROJECT_BINARY_DIR}/koineConfigVersion.cmake cmake/KoineFind.cmake
        DESTINATION ${koine_package_dir})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME koine)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGE_CONTACT "The Koine developers <koine@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_DEPENDS openmpi-bin)
include(CPack)
