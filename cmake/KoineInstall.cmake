# cmake --install: the program, the library and its CMake package.
install(TARGETS koine RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
