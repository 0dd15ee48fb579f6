# Installs BUILD, then moves the prefix to PREFIX: a package that names a place of its own breaks.

file(REMOVE_RECURSE ${PREFIX} ${PREFIX}.made)
execute_process(COMMAND ${CMAKE_COMMAND} --install ${BUILD} --prefix ${PREFIX}.made
  OUTPUT_QUIET COMMAND_ERROR_IS_FATAL ANY)
file(RENAME ${PREFIX}.made ${PREFIX})

file(GLOB_RECURSE files ${PREFIX}/*.cmake)
if(NOT files)
  message(FATAL_ERROR "no package was installed under ${PREFIX}")
endif()
foreach(file IN LISTS files)
  file(READ ${file} text)
  foreach(place ${SOURCE} ${BUILD} ${PREFIX} /usr/include /usr/lib)
    string(FIND "${text}" "${place}/" found)
    if(NOT found EQUAL -1)
      message(FATAL_ERROR "${file} names ${place}, so that it holds on this machine only")
    endif()
  endforeach()
endforeach()
