# device_test: the tests of test/cuda on whatever plugin SECONDORDER_CUDA_PLUGIN names. It is linked so
# that a machine without a compiler's libraries runs it; scripts/gpu carries it there.

function(secondorder_add_device_test)
  file(GLOB sources CONFIGURE_DEPENDS test/cuda/*_test.cpp)
  add_executable(device_test ${sources} test/cuda/device/device_under_test.cpp test/cpp/main.cpp)
  target_include_directories(device_test PRIVATE test/cpp test/cuda)
  set_source_files_properties(test/cuda/device/device_under_test.cpp PROPERTIES
    COMPILE_DEFINITIONS SECONDORDER_VERSION="${SECONDORDER_VERSION}")
  target_link_libraries(device_test PRIVATE secondorder_core secondorder_flags doctest::doctest
    ${CMAKE_DL_LIBS})
  if(NOT SECONDORDER_SANITIZE)
    target_link_options(device_test PRIVATE -static-libstdc++)
  endif()
  # Over the emulation, to see that it runs.
  add_test(NAME device_test COMMAND device_test)
  set(folder ${CMAKE_BINARY_DIR}/cuda-test)
  set_tests_properties(device_test PROPERTIES ENVIRONMENT
    "LD_LIBRARY_PATH=${folder}/driver;SECONDORDER_CUDA_PLUGIN=${folder}/secondorder-cuda.so;\
SECONDORDER_CUDA_LIBRARIES=${folder}/libraries;SECONDORDER_SMALL_TESTS=1")
endfunction()
