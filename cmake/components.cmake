# What each component asks for, in one place: the build tree and the installed package both read it.
# A new component is a list of packages here, a target in targets.cmake, and nothing else.
#
# A package is written as the arguments of find_package; Eigen3 belongs to effnet::effnet itself.
set(effnet_components cpu io cuda)
set(effnet_packages "Eigen3 3.3")
set(effnet_cpu_packages "OneDNN 2.6" "OpenMP COMPONENTS CXX")
set(effnet_io_packages "JPEG" "PNG" "nlohmann_json 3")
set(effnet_cuda_packages "CUDAToolkit 12")
# Used where it is there, and where EFFNET_CUDNN is not off. The functions that effnet calls are in
# cuDNN 8 and 9.
set(effnet_cuda_wanted "CUDNN 8...<10")

# Looks for the packages of a component (an empty name is effnet::effnet itself). Sets
# effnet_missing to those that are not there. A macro: find_package sets variables of its caller.
macro(effnet_find_packages component)
  if("${component}" STREQUAL "")
    set(effnet_wanted ${effnet_packages})
  else()
    set(effnet_wanted ${effnet_${component}_packages})
  endif()
  set(effnet_missing "")
  foreach(effnet_package IN LISTS effnet_wanted)
    separate_arguments(effnet_arguments UNIX_COMMAND "${effnet_package}")
    list(GET effnet_arguments 0 effnet_name)
    find_package(${effnet_arguments} QUIET)
    if(NOT ${effnet_name}_FOUND)
      list(APPEND effnet_missing ${effnet_name})
    endif()
  endforeach()
  foreach(effnet_package IN LISTS effnet_${component}_wanted)
    separate_arguments(effnet_arguments UNIX_COMMAND "${effnet_package}")
    list(GET effnet_arguments 0 effnet_name)
    if(NOT effnet_missing AND (NOT DEFINED EFFNET_${effnet_name} OR EFFNET_${effnet_name}))
      find_package(${effnet_arguments} QUIET)
    endif()
  endforeach()
  list(JOIN effnet_missing ", " effnet_missing)
endmacro()
