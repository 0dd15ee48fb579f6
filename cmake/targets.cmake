# The INTERFACE targets. All of them are defined and installed wherever effnet is; the names that
# people link to, effnet::NAME, appear only where the packages that they need were found.

include(${CMAKE_CURRENT_LIST_DIR}/components.cmake)
list(APPEND CMAKE_MODULE_PATH ${CMAKE_CURRENT_LIST_DIR})
# Imported targets live in the folder that finds them; a project around this one links to them too.
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL TRUE)

file(GLOB_RECURSE effnet_headers CONFIGURE_DEPENDS
  ${PROJECT_SOURCE_DIR}/include/effnet/*.hpp ${PROJECT_SOURCE_DIR}/include/effnet/*.cuh)

add_library(effnet_effnet INTERFACE)
target_compile_features(effnet_effnet INTERFACE cxx_std_20)
target_link_libraries(effnet_effnet INTERFACE Eigen3::Eigen)
target_sources(effnet_effnet INTERFACE
  FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${effnet_headers})

add_library(effnet_cpu INTERFACE)
target_link_libraries(effnet_cpu INTERFACE effnet_effnet DNNL::dnnl OpenMP::OpenMP_CXX)

add_library(effnet_io INTERFACE)
target_link_libraries(effnet_io INTERFACE
  effnet_effnet JPEG::JPEG PNG::PNG nlohmann_json::nlohmann_json)

# CMake 3.25 refuses CUDA_STANDARD 20, so that a flag has to say it.
add_library(effnet_cuda INTERFACE)
target_link_libraries(effnet_cuda INTERFACE effnet_effnet CUDA::cudart_static CUDA::cublasLt
  $<TARGET_NAME_IF_EXISTS:CUDNN::cudnn>)
target_compile_definitions(effnet_cuda INTERFACE $<$<TARGET_EXISTS:CUDNN::cudnn>:EFFNET_CUDNN=1>)
target_compile_options(effnet_cuda INTERFACE
  $<$<COMPILE_LANGUAGE:CUDA>:-std=c++20>
  $<$<COMPILE_LANGUAGE:CUDA>:--expt-relaxed-constexpr>)

effnet_find_packages("")
if(effnet_missing)
  message(FATAL_ERROR "effnet needs Eigen 3.3 or later (on Debian: libeigen3-dev)")
endif()
set_target_properties(effnet_effnet PROPERTIES EXPORT_NAME effnet)
add_library(effnet::effnet ALIAS effnet_effnet)

foreach(component IN LISTS effnet_components)
  set_target_properties(effnet_${component} PROPERTIES EXPORT_NAME ${component})
  effnet_find_packages(${component})
  if(NOT effnet_missing)
    add_library(effnet::${component} ALIAS effnet_${component})
    foreach(package IN LISTS effnet_${component}_wanted)
      string(REGEX MATCH "^[^ ]+" package "${package}")
      if(${package}_FOUND)
        message(STATUS "effnet::${component} uses ${package} ${${package}_VERSION}")
      else()
        message(STATUS "effnet::${component} does without ${package}")
      endif()
    endforeach()
  elseif(component IN_LIST EFFNET_COMPONENTS)
    message(FATAL_ERROR "effnet::${component} needs what is not there: ${effnet_missing}")
  else()
    message(STATUS "effnet::${component} is left out, for want of: ${effnet_missing}")
  endif()
endforeach()
