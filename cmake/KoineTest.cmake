set(KOINE_PYTHON /usr/bin/python3 CACHE FILEPATH "A Python that has numpy and h5py (Debian's, not a virtual environment)")

# koine_test_kind(KIND): tests/KIND/*_test.cpp become one program; each case a CTest test with the label KIND.
function(koine_test_kind kind)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${kind}/*_test.cpp)
  if(NOT sources)
    return()
  endif()
  add_executable(${kind}_tests ${sources})
  koine_target(${kind}_tests)
  target_compile_options(${kind}_tests PRIVATE $<$<CONFIG:Release>:-O1>)  # more would only build slower
  target_link_libraries(${kind}_tests PRIVATE koine_test_support GTest::gtest_main)
  koine_precompile(${kind}_tests <gtest/gtest.h> <fmt/format.h> <filesystem> <vector>)
  gtest_discover_tests(${kind}_tests DISCOVERY_MODE PRE_TEST TEST_PREFIX ${kind}.
    PROPERTIES LABELS ${kind} TIMEOUT 300 ENVIRONMENT "OPENBLAS_NUM_THREADS=1;KOINE_PYTHON=${KOINE_PYTHON}")
endfunction()

# tests/mpi/*_test.cpp: a program each, run on 1, 2, 3 and 4 processes.
function(koine_mpi_tests)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/mpi/*_test.cpp)
  foreach(source IN LISTS sources)
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} ${source} ${CMAKE_CURRENT_SOURCE_DIR}/mpi/mpi_main.cpp)
    koine_target(${name})
    target_link_libraries(${name} PRIVATE koine_test_support)
    foreach(ranks 1 2 3 4)
      add_test(NAME mpi.${name}.np${ranks}
        COMMAND ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} ${ranks} $<TARGET_FILE:${name}>)
      set_tests_properties(mpi.${name}.np${ranks} PROPERTIES LABELS "mpi;ranks_${ranks}" PROCESSORS 2 TIMEOUT 60
        ENVIRONMENT "OMPI_ALLOW_RUN_AS_ROOT=1;OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1;OMPI_MCA_rmaps_base_oversubscribe=1;OMPI_MCA_hwloc_base_binding_policy=none;OMPI_MCA_mpi_yield_when_idle=1;OPENBLAS_NUM_THREADS=1")
    endforeach()
  endforeach()
endfunction()

# tests/KIND/*_test.py: a CTest test each; exit code 77 means skipped. They get the program as KOINE.
function(koine_script_tests kind)
  file(GLOB scripts CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${kind}/*_test.py)
  foreach(script IN LISTS scripts)
    get_filename_component(name ${script} NAME_WE)
    add_test(NAME ${kind}.${name} COMMAND ${KOINE_PYTHON} ${script} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
    set_tests_properties(${kind}.${name} PROPERTIES LABELS ${kind} TIMEOUT 900 SKIP_RETURN_CODE 77
      ENVIRONMENT "KOINE=$<TARGET_FILE:koine>;KOINE_SOURCE=${PROJECT_SOURCE_DIR};KOINE_SANITIZE=${KOINE_SANITIZE};KOINE_EMULATED_CUDA=${KOINE_EMULATED_CUDA};PYTHONPATH=${CMAKE_CURRENT_SOURCE_DIR}/support;PYTHONDONTWRITEBYTECODE=1;OMPI_ALLOW_RUN_AS_ROOT=1;OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1;OMPI_MCA_rmaps_base_oversubscribe=1;OMPI_MCA_hwloc_base_binding_policy=none;OMPI_MCA_mpi_yield_when_idle=1")
  endforeach()
endfunction()
