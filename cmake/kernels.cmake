# Compiles the hand-written CPU kernels once per instruction set. The sources are the same; each
# build puts its functions in the namespace SECONDORDER_ISA, and the dispatcher picks at load time.

set(SECONDORDER_KERNEL_FLAGS -O3 -fopenmp-simd -fno-math-errno -fno-trapping-math)
set(SECONDORDER_ISA_avx2 -mavx2 -mfma -mf16c -mbmi2)
set(SECONDORDER_ISA_avx512 -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx512cd
  -mavx2 -mfma -mf16c -mbmi2 -mprefer-vector-width=512)

# Adds the kernel sources to `target`, one object library per instruction set.
function(secondorder_add_kernels target)
  set(sources ${ARGN})
  if(NOT sources)
    return()
  endif()
  set(isas portable)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "^(x86_64|AMD64)$")
    list(APPEND isas avx2 avx512)
  endif()
  foreach(isa IN LISTS isas)
    set(kernels secondorder_kernels_${isa})
    add_library(${kernels} OBJECT ${sources})
    target_compile_definitions(${kernels} PRIVATE SECONDORDER_ISA=${isa})
    target_compile_options(${kernels} PRIVATE ${SECONDORDER_KERNEL_FLAGS} ${SECONDORDER_ISA_${isa}})
    target_link_libraries(${kernels} PRIVATE secondorder_flags)
    target_include_directories(${kernels} PRIVATE ${PROJECT_SOURCE_DIR}/cpp)
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:${kernels}>)
  endforeach()
endfunction()
