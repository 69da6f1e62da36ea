# synthdata::cuda: the kernels for NVIDIA GPUs, compiled once by nvcc. CUDA 12 or newer; cuDNN 9 where it is installed.

# CMake wants the architectures before it looks at the compiler: those of the GPUs of this machine, else a list that
# runs on everything since Turing, with PTX for what comes later.
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  execute_process(COMMAND nvidia-smi --query-gpu=compute_cap --format=csv,noheader
    OUTPUT_VARIABLE capabilities RESULT_VARIABLE failed ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(failed EQUAL 0 AND capabilities MATCHES "^[0-9]")
    string(REGEX MATCHALL "[0-9]+[.][0-9]" capabilities "${capabilities}")
    list(REMOVE_DUPLICATES capabilities)
    string(REPLACE "." "" CMAKE_CUDA_ARCHITECTURES "${capabilities}")
    list(TRANSFORM CMAKE_CUDA_ARCHITECTURES APPEND -real)
  else()
    set(CMAKE_CUDA_ARCHITECTURES 75-real 80-real 86-real 89-real 90-real 90-virtual)
  endif()
endif()
find_program(nvcc nvcc HINTS ENV CUDA_PATH PATHS /usr/local/cuda PATH_SUFFIXES bin)
if(nvcc AND NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
  set(CMAKE_CUDA_COMPILER ${nvcc})
endif()
enable_language(CUDA)
find_package(CUDAToolkit 12 REQUIRED)
message(STATUS "synthdata: CUDA ${CUDAToolkit_VERSION} for ${CMAKE_CUDA_ARCHITECTURES}")

file(CONFIGURE OUTPUT bodies/cuda.cu CONTENT "#include <synthdata/cuda_main.cuh>\n")
add_library(synthdata_cuda STATIC ${CMAKE_CURRENT_BINARY_DIR}/bodies/cuda.cu)
add_library(synthdata::cuda ALIAS synthdata_cuda)

target_compile_options(synthdata_cuda PRIVATE -std=c++20 --expt-relaxed-constexpr)
target_link_libraries(synthdata_cuda PUBLIC synthdata_compiled CUDA::cudart_static CUDA::cublasLt)
# The library's own code asks for this function weakly; a program that links us means it.
target_link_options(synthdata_cuda INTERFACE LINKER:-u,synthdata_cuda_driver)
set_target_properties(synthdata_cuda PROPERTIES
  EXPORT_NAME cuda POSITION_INDEPENDENT_CODE ON CUDA_EXTENSIONS OFF)
if(NOT SYNTHDATA_INSTALL)
  set_target_properties(synthdata_cuda PROPERTIES EXCLUDE_FROM_ALL ON)  # built only where it is linked
endif()
if(PROJECT_IS_TOP_LEVEL)
  target_compile_options(synthdata_cuda PRIVATE -Xcompiler=-Wall,-Wextra -Xptxas=-v)
  if(SYNTHDATA_WARNINGS_AS_ERRORS)
    target_compile_options(synthdata_cuda PRIVATE -Werror=all-warnings -Xcompiler=-Werror)
  endif()
endif()

find_path(SYNTHDATA_CUDNN_INCLUDE cudnn.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
find_library(SYNTHDATA_CUDNN_LIBRARY cudnn HINTS ${CUDAToolkit_LIBRARY_DIR})
if(SYNTHDATA_CUDNN_INCLUDE AND SYNTHDATA_CUDNN_LIBRARY)
  target_compile_definitions(synthdata_cuda PRIVATE SYNTHDATA_CUDNN=1)
  target_include_directories(synthdata_cuda SYSTEM PRIVATE ${SYNTHDATA_CUDNN_INCLUDE})
  target_link_libraries(synthdata_cuda PUBLIC ${SYNTHDATA_CUDNN_LIBRARY})
else()
  message(STATUS "synthdata: cuDNN is not there; convolutions run on our own kernels, which are slow")
endif()

# Several GPUs. Only programs that train on more than one need NCCL, so it can be switched off.
option(SYNTHDATA_NCCL "Several GPUs by NCCL, where it is installed" ON)
find_path(SYNTHDATA_NCCL_INCLUDE nccl.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
find_library(SYNTHDATA_NCCL_LIBRARY nccl HINTS ${CUDAToolkit_LIBRARY_DIR})
if(SYNTHDATA_NCCL AND SYNTHDATA_NCCL_INCLUDE AND SYNTHDATA_NCCL_LIBRARY)
  target_compile_definitions(synthdata_cuda PRIVATE SYNTHDATA_NCCL=1)
  target_include_directories(synthdata_cuda SYSTEM PRIVATE ${SYNTHDATA_NCCL_INCLUDE})
  target_link_libraries(synthdata_cuda PUBLIC ${SYNTHDATA_NCCL_LIBRARY})
endif()
