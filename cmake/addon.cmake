# secondorder.node: the N-API binding over the core.

add_library(secondorder SHARED ${binding_sources} ${CMAKE_JS_SRC})
set_target_properties(secondorder PROPERTIES PREFIX "" SUFFIX ".node")
target_include_directories(secondorder PRIVATE binding)
target_include_directories(secondorder SYSTEM PRIVATE ${CMAKE_JS_INC}) # with node-addon-api
target_compile_definitions(secondorder PRIVATE NAPI_VERSION=8
  NODE_ADDON_API_DISABLE_DEPRECATED NODE_ADDON_API_CPP_EXCEPTIONS
  # A worker that is terminated refuses every call: an exception there must not end the process.
  NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS)
target_link_libraries(secondorder PRIVATE secondorder_core secondorder_flags ${CMAKE_JS_LIB})
# nodelete: threads of the core may outlive the environment that loaded it.
target_link_options(secondorder PRIVATE LINKER:--exclude-libs,ALL LINKER:-z,nodelete
  LINKER:--gc-sections LINKER:--version-script=${PROJECT_SOURCE_DIR}/cmake/exports.map)
set_target_properties(secondorder PROPERTIES LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/exports.map)
if(NOT SECONDORDER_SANITIZE)
  # libgcc_s stays shared: Node needs it anyway, and a static libgcc_eh would need glibc 2.35.
  target_link_options(secondorder PRIVATE -static-libstdc++)
endif()
