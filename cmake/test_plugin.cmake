# What the TypeScript tests open instead of a GPU's software, in cuda-test/ of the build folder: the
# backend over the emulation, one of another version, and stand-ins for the driver and the libraries.

function(secondorder_add_test_plugin)
  set(folder ${CMAKE_BINARY_DIR}/cuda-test)
  set(emulation ${PROJECT_SOURCE_DIR}/test/cuda/emulation)
  set(plugin ${PROJECT_SOURCE_DIR}/test/cuda/plugin)

  add_library(secondorder_test_plugin SHARED
    $<TARGET_OBJECTS:secondorder_emulated_cuda> cuda/library.cpp ${plugin}/settings.cpp)
  target_include_directories(secondorder_test_plugin PRIVATE cpp cuda ${emulation})
  target_compile_definitions(secondorder_test_plugin PRIVATE SECONDORDER_CUDA_EMULATION)
  target_link_libraries(secondorder_test_plugin PRIVATE secondorder_core secondorder_flags
    ${CMAKE_DL_LIBS})
  set_target_properties(secondorder_test_plugin PROPERTIES PREFIX "" OUTPUT_NAME secondorder-cuda
    LIBRARY_OUTPUT_DIRECTORY ${folder})
  target_link_options(secondorder_test_plugin PRIVATE LINKER:--gc-sections
    LINKER:--version-script=${PROJECT_SOURCE_DIR}/cmake/cuda-exports.map)

  # As cuBLAS and cuSOLVER, by the names that library.cpp opens.
  add_library(secondorder_test_libraries SHARED
    ${emulation}/libraries.cpp ${emulation}/device.cpp ${emulation}/streams.cpp)
  target_include_directories(secondorder_test_libraries PRIVATE cpp cuda ${emulation})
  target_compile_definitions(secondorder_test_libraries PRIVATE SECONDORDER_CUDA_EMULATION)
  target_link_libraries(secondorder_test_libraries PRIVATE secondorder_core secondorder_flags)
  set_target_properties(secondorder_test_libraries PROPERTIES OUTPUT_NAME cublas SUFFIX .so.13
    CXX_VISIBILITY_PRESET default LIBRARY_OUTPUT_DIRECTORY ${folder}/libraries)
  add_custom_command(TARGET secondorder_test_libraries POST_BUILD
    COMMAND ${CMAKE_COMMAND} -E create_symlink libcublas.so.13 ${folder}/libraries/libcusolver.so.12)

  add_library(secondorder_test_driver SHARED ${plugin}/driver.c)
  set_target_properties(secondorder_test_driver PROPERTIES OUTPUT_NAME cuda SUFFIX .so.1
    LIBRARY_OUTPUT_DIRECTORY ${folder}/driver)

  add_library(secondorder_test_other_version SHARED ${plugin}/other_version.c)
  set_target_properties(secondorder_test_other_version PROPERTIES PREFIX "" OUTPUT_NAME other-version
    C_VISIBILITY_PRESET default LIBRARY_OUTPUT_DIRECTORY ${folder})
endfunction()
