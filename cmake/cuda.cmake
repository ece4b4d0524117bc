# secondorder-cuda.so: the GPU backend, where nvcc is. It is a library of its own, opened when a GPU is
# asked for; nothing else of the build depends on it.
#
# scripts/cuda-resources.ts tells what each kernel takes of registers and shared memory.
#
# SECONDORDER_CUDA: AUTO builds it with the addon where nvcc is found, ON insists, OFF leaves it out.

set(SECONDORDER_CUDA AUTO CACHE STRING "Build the CUDA backend: AUTO (where nvcc is), ON, OFF")
set_property(CACHE SECONDORDER_CUDA PROPERTY STRINGS AUTO ON OFF)
# Code for these, and PTX of the last one for what comes after them.
set(SECONDORDER_CUDA_ARCHITECTURES 80-real 90-real 90-virtual CACHE STRING
  "Architectures of the CUDA backend, as CMake's CUDA_ARCHITECTURES")

# A build of the tests alone has no need of it unless it is asked for.
if(SECONDORDER_CUDA STREQUAL "OFF" OR (SECONDORDER_CUDA STREQUAL "AUTO" AND NOT CMAKE_JS_VERSION))
  return()
endif()
find_program(SECONDORDER_NVCC nvcc
  HINTS ENV CUDACXX ENV CUDA_HOME ENV CUDA_PATH PATHS /usr/local/cuda PATH_SUFFIXES bin)
mark_as_advanced(SECONDORDER_NVCC)
if(NOT SECONDORDER_NVCC)
  if(NOT SECONDORDER_CUDA STREQUAL "AUTO")
    message(FATAL_ERROR "SECONDORDER_CUDA=${SECONDORDER_CUDA}: nvcc was not found")
  endif()
  message(STATUS "CUDA: no nvcc, the backend is left out")
  return()
endif()
set(CMAKE_CUDA_COMPILER ${SECONDORDER_NVCC})
enable_language(CUDA)
if(NOT CMAKE_CUDA20_STANDARD_COMPILE_OPTION) # which CMake knows from 3.26 on
  set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
endif()
find_package(CUDAToolkit REQUIRED)
message(STATUS "CUDA: ${CMAKE_CUDA_COMPILER} ${CMAKE_CUDA_COMPILER_VERSION}")

file(GLOB_RECURSE sources CONFIGURE_DEPENDS cuda/*.cu cuda/*.cpp)
# The threads that copy host memory; see cuda/row_window.
add_library(secondorder_cuda SHARED ${sources} cpp/base/thread_pool.cpp)
set_target_properties(secondorder_cuda PROPERTIES
  PREFIX "" OUTPUT_NAME secondorder-cuda
  CUDA_STANDARD 20 CUDA_STANDARD_REQUIRED ON CUDA_EXTENSIONS OFF
  CUDA_ARCHITECTURES "${SECONDORDER_CUDA_ARCHITECTURES}"
  CUDA_RUNTIME_LIBRARY Static CUDA_VISIBILITY_PRESET hidden)
target_include_directories(secondorder_cuda PRIVATE cpp cuda)
target_compile_definitions(secondorder_cuda PRIVATE SECONDORDER_VERSION="${SECONDORDER_VERSION}")
target_compile_options(secondorder_cuda PRIVATE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wshadow -ffunction-sections -fdata-sections>
  "$<$<COMPILE_LANGUAGE:CUDA>:-O3;-Xcompiler=-Wall,-Wextra,-ffunction-sections,-fdata-sections;--extended-lambda;--expt-relaxed-constexpr>"
  "$<$<COMPILE_LANGUAGE:CUDA>:-Xptxas=-warn-spills>")
if(SECONDORDER_WERROR)
  target_compile_options(secondorder_cuda PRIVATE
    $<$<COMPILE_LANGUAGE:CXX>:-Werror>
    "$<$<COMPILE_LANGUAGE:CUDA>:--Werror=all-warnings;-Xcompiler=-Werror>")
endif()
target_link_libraries(secondorder_cuda PRIVATE CUDA::cudart_static Threads::Threads ${CMAKE_DL_LIBS})
# As the addon: what is thrown passes through, so libgcc_s is shared; nothing else is exported.
target_link_options(secondorder_cuda PRIVATE -static-libstdc++ LINKER:--exclude-libs,ALL
  LINKER:-z,nodelete LINKER:--gc-sections LINKER:-z,defs
  LINKER:--version-script=${PROJECT_SOURCE_DIR}/cmake/cuda-exports.map)
set_target_properties(secondorder_cuda PROPERTIES
  LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/cuda-exports.map LINKER_LANGUAGE CXX)
