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

# Libraries in the places of the CUDA runtime and of NCCL, for machines without a GPU: found through LD_LIBRARY_PATH.
set(KOINE_FAKE_GPU ${CMAKE_CURRENT_BINARY_DIR}/fake_gpu)
function(koine_fake_gpu)
  foreach(name cudart nccl)
    add_library(fake_${name} SHARED ${CMAKE_CURRENT_SOURCE_DIR}/fake_gpu/fake_${name}.cpp)
    koine_target(fake_${name})
    target_include_directories(fake_${name} PRIVATE ${PROJECT_SOURCE_DIR}/src)
    set_target_properties(fake_${name} PROPERTIES OUTPUT_NAME ${name} LIBRARY_OUTPUT_DIRECTORY ${KOINE_FAKE_GPU})
  endforeach()
  set_target_properties(fake_cudart PROPERTIES SUFFIX .so.13)
  set_target_properties(fake_nccl PROPERTIES SUFFIX .so.2)
endfunction()

# Compiles the types and values that the program takes from CUDA and NCCL against the real headers.
function(koine_gpu_abi)
  find_path(KOINE_NCCL_INCLUDE nccl.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
  if(NOT KOINE_NCCL_INCLUDE)
    message(STATUS "NCCL: no nccl.h found, its types are not checked")
    return()
  endif()
  add_library(koine_gpu_abi OBJECT ${CMAKE_CURRENT_SOURCE_DIR}/parity/gpu_abi.cpp)
  koine_target(koine_gpu_abi)
  target_include_directories(koine_gpu_abi PRIVATE ${PROJECT_SOURCE_DIR}/src)
  add_dependencies(cuda_tests koine_gpu_abi)
  target_include_directories(koine_gpu_abi SYSTEM PRIVATE ${KOINE_NCCL_INCLUDE} ${CUDAToolkit_INCLUDE_DIRS})
endfunction()

# tests/mpi/*_test.cpp: a program each, run on 1, 2, 3 and 4 processes.
function(koine_mpi_tests)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/mpi/*_test.cpp)
  foreach(source IN LISTS sources)
    get_filename_component(name ${source} NAME_WE)
    add_executable(${name} ${source} ${CMAKE_CURRENT_SOURCE_DIR}/mpi/mpi_main.cpp)
    koine_target(${name})
    target_link_libraries(${name} PRIVATE koine_test_support)
    add_dependencies(${name} fake_cudart fake_nccl)
    foreach(ranks 1 2 3 4)
      add_test(NAME mpi.${name}.np${ranks}
        COMMAND ${MPIEXEC_EXECUTABLE} ${MPIEXEC_NUMPROC_FLAG} ${ranks} $<TARGET_FILE:${name}>)
      set_tests_properties(mpi.${name}.np${ranks} PROPERTIES LABELS "mpi;ranks_${ranks}" PROCESSORS 2 TIMEOUT 60
        ENVIRONMENT_MODIFICATION LD_LIBRARY_PATH=path_list_prepend:${KOINE_FAKE_GPU}
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
      ENVIRONMENT "KOINE=$<TARGET_FILE:koine>;KOINE_SOURCE=${PROJECT_SOURCE_DIR};KOINE_FAKE_GPU=${KOINE_FAKE_GPU};KOINE_EMULATED_CUDA=${KOINE_EMULATED_CUDA};KOINE_SANITIZE=${KOINE_SANITIZE};KOINE_INTERPOSE=$<TARGET_FILE:koine_interpose>;PYTHONPATH=${CMAKE_CURRENT_SOURCE_DIR}/support;PYTHONDONTWRITEBYTECODE=1;OMPI_ALLOW_RUN_AS_ROOT=1;OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1;OMPI_MCA_rmaps_base_oversubscribe=1;OMPI_MCA_hwloc_base_binding_policy=none;OMPI_MCA_mpi_yield_when_idle=1")
    # Jobs of two clusters on one machine have the same numbers, by which Open MPI names what processes share.
    file(STRINGS ${script} with_slurm REGEX "slurm_cluster|rows[.]py" LIMIT_COUNT 1)
    if(with_slurm)
      set_tests_properties(${kind}.${name} PROPERTIES RESOURCE_LOCK slurm COST 100)
    endif()
  endforeach()
endfunction()
