# Compiles the sources of cuda/ as C++ against the emulation in test/cuda/emulation, into the tests:
# every kernel's very source runs on the CPU.

function(secondorder_emulate_cuda target)
  set(emulation ${PROJECT_SOURCE_DIR}/test/cuda/emulation)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS
    ${PROJECT_SOURCE_DIR}/cuda/*.cu ${PROJECT_SOURCE_DIR}/cuda/*.cpp ${emulation}/*.cpp)
  # The libraries are linked in instead of opened (linked_libraries.cpp); test_plugin opens them.
  list(FILTER sources EXCLUDE REGEX "cuda/library\\.cpp$|emulation/linked_libraries\\.cpp$")
  set_source_files_properties(${sources} PROPERTIES LANGUAGE CXX)
  foreach(source IN LISTS sources)
    if(source MATCHES "\\.cu$")
      set_source_files_properties(${source} PROPERTIES
        COMPILE_OPTIONS "-x;c++;-include;${emulation}/cuda_runtime.h;-Wno-unknown-pragmas")
    endif()
  endforeach()
  add_library(secondorder_emulated_cuda OBJECT ${sources})
  target_compile_definitions(secondorder_emulated_cuda PUBLIC SECONDORDER_CUDA_EMULATION
    PRIVATE SECONDORDER_VERSION="${SECONDORDER_VERSION}")
  target_include_directories(secondorder_emulated_cuda PUBLIC
    ${PROJECT_SOURCE_DIR}/cpp ${PROJECT_SOURCE_DIR}/cuda ${emulation} ${PROJECT_SOURCE_DIR}/test/cuda)
  target_link_libraries(secondorder_emulated_cuda PUBLIC secondorder_core
    PRIVATE secondorder_flags)

  file(GLOB_RECURSE tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/test/cuda/*_test.cpp)
  list(FILTER tests EXCLUDE REGEX "/device_under_test\\.cpp$")
  target_sources(${target} PRIVATE ${tests}
    ${emulation}/linked_libraries.cpp ${PROJECT_SOURCE_DIR}/test/cuda/emulated/device_under_test.cpp)
  target_link_libraries(${target} PRIVATE secondorder_emulated_cuda)
endfunction()
