# cmake --install: the program with its man page, completions and example recipes, the library with its headers and CMake
# package. Components: `runtime` and `development` are what KoinePackage.cmake packs; `source` is what a Debian package has in
# another form.
include(CMakePackageConfigHelpers)

# koine_compress(FROM TO): TO is FROM compressed, the same bytes every time.
function(koine_compress from to)
  add_custom_command(OUTPUT ${to} DEPENDS ${from} VERBATIM COMMAND sh -c "gzip -9n < \"$0\" > \"$1\"" ${from} ${to})
endfunction()

# The man page and completions are what the program itself prints.
set(koine_shell_dir ${PROJECT_BINARY_DIR}/shell)
set(koine_shell_files ${koine_shell_dir}/koine.1.gz)
foreach(row "man:koine.1" "completion bash:koine.bash" "completion zsh:_koine" "completion fish:koine.fish")
  string(REPLACE ":" ";" row "${row}")
  list(GET row 0 command)
  list(GET row 1 file)
  string(REPLACE " " ";" command "${command}")
  add_custom_command(OUTPUT ${koine_shell_dir}/${file} DEPENDS koine VERBATIM
    COMMAND ${CMAKE_COMMAND} -E make_directory ${koine_shell_dir}
    COMMAND sh -c "\"$0\" \"$@\" > ${file}.tmp && mv ${file}.tmp ${file}" $<TARGET_FILE:koine> ${command}
    WORKING_DIRECTORY ${koine_shell_dir})
  list(APPEND koine_shell_files ${koine_shell_dir}/${file})
endforeach()
koine_compress(${koine_shell_dir}/koine.1 ${koine_shell_dir}/koine.1.gz)
add_custom_target(koine_shell ALL DEPENDS ${koine_shell_files})

install(TARGETS koine RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT runtime)
install(FILES ${koine_shell_dir}/koine.1.gz DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT runtime)
install(FILES ${koine_shell_dir}/koine.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME koine COMPONENT runtime)
install(FILES ${koine_shell_dir}/_koine DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions COMPONENT runtime)
install(FILES ${koine_shell_dir}/koine.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT runtime)
install(DIRECTORY configs DESTINATION ${CMAKE_INSTALL_DATADIR}/koine COMPONENT runtime FILES_MATCHING PATTERN "*.yaml" PATTERN "*.py")
install(PROGRAMS slurm/nightly.sh DESTINATION ${CMAKE_INSTALL_DATADIR}/koine COMPONENT runtime)
install(PROGRAMS packaging/smoke_test.sh DESTINATION ${CMAKE_INSTALL_DATADIR}/koine COMPONENT runtime)
install(DIRECTORY slurm/clusters DESTINATION ${CMAKE_INSTALL_DATADIR}/koine COMPONENT runtime)
install(FILES README.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT runtime)
install(FILES LICENSE CHANGELOG.md DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT source)

set(koine_package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/koine)
install(TARGETS koine_core koine_dependencies EXPORT koineTargets ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT development)
install(DIRECTORY src/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/koine COMPONENT development FILES_MATCHING PATTERN "*.hpp")
install(EXPORT koineTargets NAMESPACE koine:: DESTINATION ${koine_package_dir} COMPONENT development)
configure_package_config_file(cmake/koineConfig.cmake.in ${PROJECT_BINARY_DIR}/koineConfig.cmake
                              INSTALL_DESTINATION ${koine_package_dir})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/koineConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/koineConfig.cmake ${PROJECT_BINARY_DIR}/koineConfigVersion.cmake cmake/KoineFind.cmake
        DESTINATION ${koine_package_dir} COMPONENT development)
