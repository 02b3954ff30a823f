# cmake -DBUILD=build/release -DSOURCE=tests/consumer -DCXX=g++ -P run_consumer.cmake
# Installs the build into an empty prefix, moves the prefix, and builds and runs the consumer against it: nothing
# of the build tree, nor of the place of installation, may be needed.
cmake_minimum_required(VERSION 3.25)
set(work ${BUILD}/consumer)
file(REMOVE_RECURSE ${work})

function(run)
  execute_process(COMMAND ${ARGN} COMMAND_ERROR_IS_FATAL ANY)
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${work}/first)
file(RENAME ${work}/first ${work}/prefix)
run(${CMAKE_COMMAND} -S ${SOURCE} -B ${work}/build -G Ninja -DCMAKE_CXX_COMPILER=${CXX}
    -DCMAKE_PREFIX_PATH=${work}/prefix -DCMAKE_BUILD_TYPE=Release)
run(${CMAKE_COMMAND} --build ${work}/build)
run(${work}/build/consumer)

file(GLOB_RECURSE exported ${work}/prefix/*.cmake)
get_filename_component(tree ${SOURCE}/../.. ABSOLUTE)
foreach(file IN LISTS exported)
  file(READ ${file} text)
  # With a folder behind the tree: a checkout named /rondo is part of lib/cmake/rondo, too.
  foreach(path IN ITEMS ${BUILD} ${tree}/src ${tree}/include ${tree}/cmake)
    string(FIND "${text}" "${path}" found)
    if(NOT found EQUAL -1)
      message(FATAL_ERROR "${file} names the build: ${path}")
    endif()
  endforeach()
endforeach()
