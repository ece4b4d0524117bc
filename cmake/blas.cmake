# secondorder_blas: OpenBLAS with its C headers, and the objects that adapt it to a Node process.

option(SECONDORDER_STATIC_BLAS "Link OpenBLAS and the Fortran runtime statically" ON)

set(_multiarch "${CMAKE_LIBRARY_ARCHITECTURE}")
find_path(SECONDORDER_CBLAS_INCLUDE cblas.h
  PATH_SUFFIXES ${_multiarch}/openblas-pthread ${_multiarch} openblas REQUIRED)
mark_as_advanced(SECONDORDER_CBLAS_INCLUDE)

add_library(secondorder_blas INTERFACE)
target_include_directories(secondorder_blas SYSTEM INTERFACE ${SECONDORDER_CBLAS_INCLUDE})
target_link_libraries(secondorder_blas INTERFACE Threads::Threads)

# The object, not an archive member: nothing refers to it by name before OpenBLAS is read, so from
# an archive it would be left out, and a shared object links happily with __wrap_* undefined.
function(secondorder_adapt_blas target)
  add_library(secondorder_blas_link OBJECT cpp/base/blas_link.c)
  target_sources(${target} INTERFACE $<TARGET_OBJECTS:secondorder_blas_link>)
endfunction()

if(SECONDORDER_STATIC_BLAS)
  find_library(SECONDORDER_OPENBLAS_ARCHIVE NAMES libopenblas.a
    PATH_SUFFIXES openblas-pthread ${_multiarch}/openblas-pthread ${_multiarch})
  mark_as_advanced(SECONDORDER_OPENBLAS_ARCHIVE)
  if(NOT SECONDORDER_OPENBLAS_ARCHIVE)
    message(FATAL_ERROR "libopenblas.a was not found: install libopenblas-dev, "
      "or pass -DSECONDORDER_STATIC_BLAS=OFF to link the shared library")
  endif()
  set(_archives ${SECONDORDER_OPENBLAS_ARCHIVE})
  foreach(_runtime gfortran quadmath)
    execute_process(COMMAND ${CMAKE_CXX_COMPILER} -print-file-name=lib${_runtime}.a
      OUTPUT_VARIABLE _archive OUTPUT_STRIP_TRAILING_WHITESPACE)
    if(IS_ABSOLUTE "${_archive}")
      list(APPEND _archives "${_archive}")
    elseif(_runtime STREQUAL "gfortran")
      message(FATAL_ERROR "libgfortran.a was not found: install gfortran, "
        "or pass -DSECONDORDER_STATIC_BLAS=OFF to link the shared OpenBLAS")
    endif() # libquadmath exists on x86-64 and ppc64le only
  endforeach()
  target_link_libraries(secondorder_blas INTERFACE ${_archives} m)
  target_link_options(secondorder_blas INTERFACE LINKER:--wrap=pthread_atfork LINKER:--wrap=getenv)
  message(STATUS "BLAS: static ${SECONDORDER_OPENBLAS_ARCHIVE}")
else()
  find_library(SECONDORDER_OPENBLAS_SHARED NAMES openblas
    PATH_SUFFIXES openblas-pthread ${_multiarch}/openblas-pthread ${_multiarch} REQUIRED)
  mark_as_advanced(SECONDORDER_OPENBLAS_SHARED)
  target_link_libraries(secondorder_blas INTERFACE ${SECONDORDER_OPENBLAS_SHARED} m)
  message(STATUS "BLAS: shared ${SECONDORDER_OPENBLAS_SHARED}")
endif()
