// The files through which pkg-config and CMake find the installed library. Meson uses either.

/// Texts for build systems, each of which finds the prefix from where it is.
enum BuildSystems {
  /// Returns the content of `bstrtrace.pc`.
  static func pkgConfig(version: String) -> String {
    """
    prefix=${pcfiledir}/../..
    includedir=${prefix}/include/bstrtrace
    libdir=${prefix}/lib

    Name: bstrtrace
    Description: The BSTR functions, with a detector for leaked and misused strings
    Version: \(version)
    Cflags: -I${includedir}
    Libs: -L${libdir} -lbstrtrace-linked

    """
  }

  /// The content of `bstrtraceConfig.cmake`.
  static let cmakeConfig = #"""
    # The targets bstrtrace::linked and bstrtrace::headers, the variable BSTRTRACE_COMMAND and the
    # function bstrtrace_add_test.

    get_filename_component(_bstrtrace_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)
    set(BSTRTRACE_COMMAND "${_bstrtrace_prefix}/bin/bstrtrace")

    if(NOT TARGET bstrtrace::headers)
      # The declarations alone: for a program with BSTR functions of its own.
      add_library(bstrtrace::headers INTERFACE IMPORTED)
      set_target_properties(bstrtrace::headers PROPERTIES
        INTERFACE_INCLUDE_DIRECTORIES "${_bstrtrace_prefix}/include/bstrtrace")

      # The functions, in a library that reports when the program ends.
      add_library(bstrtrace::linked SHARED IMPORTED)
      set_target_properties(bstrtrace::linked PROPERTIES
        IMPORTED_LOCATION "${_bstrtrace_prefix}/lib/\#(Layout.soname)"
        IMPORTED_SONAME "\#(Layout.soname)"
        INTERFACE_LINK_LIBRARIES bstrtrace::headers)
    endif()
    unset(_bstrtrace_prefix)

    # bstrtrace_add_test(NAME name [OPTIONS option...] COMMAND target-or-program [argument...])
    #
    # A test that runs the command under `bstrtrace run`, and fails, too, when there are findings.
    function(bstrtrace_add_test)
      cmake_parse_arguments(PARSE_ARGV 0 _test "" "NAME" "OPTIONS;COMMAND")
      if(NOT _test_NAME OR NOT _test_COMMAND OR _test_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR
          "bstrtrace_add_test(NAME name [OPTIONS option...] COMMAND program [argument...])")
      endif()
      list(POP_FRONT _test_COMMAND _program)
      if(TARGET "${_program}")
        set(_program "$<TARGET_FILE:${_program}>")
      endif()
      add_test(NAME "${_test_NAME}"
        COMMAND "${BSTRTRACE_COMMAND}" run ${_test_OPTIONS} -- "${_program}" ${_test_COMMAND})
    endfunction()

    """#

  /// Returns the content of `bstrtraceConfigVersion.cmake`: before version 1 a minor version may
  /// break programs.
  static func cmakeVersion(_ version: String) -> String {
    #"""
    set(PACKAGE_VERSION "\#(version)")
    if(PACKAGE_FIND_VERSION VERSION_GREATER PACKAGE_VERSION)
      set(PACKAGE_VERSION_COMPATIBLE FALSE)
    else()
      string(REGEX MATCH "^[0-9]+\\.[0-9]+" _bstrtrace_series "${PACKAGE_VERSION}")
      string(REGEX MATCH "^[0-9]+\\.[0-9]+" _bstrtrace_wanted "${PACKAGE_FIND_VERSION}")
      if(_bstrtrace_wanted STREQUAL "" OR _bstrtrace_wanted STREQUAL _bstrtrace_series)
        set(PACKAGE_VERSION_COMPATIBLE TRUE)
      else()
        set(PACKAGE_VERSION_COMPATIBLE FALSE)
      endif()
      if(PACKAGE_FIND_VERSION VERSION_EQUAL PACKAGE_VERSION)
        set(PACKAGE_VERSION_EXACT TRUE)
      endif()
      unset(_bstrtrace_series)
      unset(_bstrtrace_wanted)
    endif()

    """#
  }
}
