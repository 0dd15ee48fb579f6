# FindOneDNN: gives DNNL::dnnl, from oneDNN 2.x or 3.x.
#
# oneDNN's own package configuration is used where it can be loaded. A library built with the OpenCL
# runtime (Debian's is) has one that stops the whole configuration when OpenCL's headers are absent,
# though a program that uses the CPU engine needs none of them; there the header and the library are
# looked up directly. dnnl_DIR or CMAKE_PREFIX_PATH choose among several.
#
# Sets OneDNN_FOUND and OneDNN_VERSION.

# A target that the project around this one made is taken as it is.
if(NOT TARGET DNNL::dnnl)
  find_package(OpenCL QUIET)
  set(OneDNN_load_config ${OpenCL_FOUND})
  if(dnnl_DIR AND EXISTS "${dnnl_DIR}/dnnl-config.cmake")
    file(STRINGS "${dnnl_DIR}/dnnl-config.cmake" OneDNN_gpu REGEX "DNNL_GPU_RUNTIME \"OCL\"")
    if(NOT OneDNN_gpu)
      set(OneDNN_load_config TRUE)
    endif()
  endif()
  if(OneDNN_load_config)
    find_package(dnnl CONFIG QUIET)
  endif()
endif()

if(TARGET DNNL::dnnl)
  get_target_property(OneDNN_includes DNNL::dnnl INTERFACE_INCLUDE_DIRECTORIES)
  set(OneDNN_LIBRARY DNNL::dnnl)
  find_path(OneDNN_INCLUDE_DIR oneapi/dnnl/dnnl_version.h
    HINTS ${OneDNN_includes} NO_DEFAULT_PATH)
  # Targets of a build tree have generator expressions where the folder would be.
  find_path(OneDNN_INCLUDE_DIR oneapi/dnnl/dnnl_version.h)
else()
  # dnnl_DIR is PREFIX/lib[/ARCH]/cmake/dnnl.
  find_path(OneDNN_INCLUDE_DIR oneapi/dnnl/dnnl_version.h
    HINTS "${dnnl_DIR}/../../.." "${dnnl_DIR}/../../../.." ENV DNNLROOT PATH_SUFFIXES include)
  find_library(OneDNN_LIBRARY dnnl
    HINTS "${dnnl_DIR}/../.." ENV DNNLROOT PATH_SUFFIXES lib)
endif()

if(OneDNN_INCLUDE_DIR)
  foreach(OneDNN_part MAJOR MINOR PATCH)
    file(STRINGS "${OneDNN_INCLUDE_DIR}/oneapi/dnnl/dnnl_version.h" OneDNN_line
      REGEX "define DNNL_VERSION_${OneDNN_part} ")
    string(REGEX MATCH "[0-9]+$" OneDNN_${OneDNN_part} "${OneDNN_line}")
  endforeach()
  set(OneDNN_VERSION "${OneDNN_MAJOR}.${OneDNN_MINOR}.${OneDNN_PATCH}")
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(OneDNN
  REQUIRED_VARS OneDNN_LIBRARY OneDNN_INCLUDE_DIR VERSION_VAR OneDNN_VERSION)
mark_as_advanced(OneDNN_LIBRARY OneDNN_INCLUDE_DIR)

if(OneDNN_FOUND AND NOT TARGET DNNL::dnnl)
  add_library(DNNL::dnnl UNKNOWN IMPORTED)
  set_target_properties(DNNL::dnnl PROPERTIES
    IMPORTED_LOCATION "${OneDNN_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${OneDNN_INCLUDE_DIR}")
endif()
