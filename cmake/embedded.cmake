# The bytes of a file inside a library, as the symbols SYMBOL and SYMBOL_end (extern "C" char const[]). See known_answers.cmake for why
# assembler does this.
function(equipoise_embed_file TARGET SYMBOL FILE)
  set(ASSEMBLY ${CMAKE_CURRENT_BINARY_DIR}/${SYMBOL}.S)
  file(CONFIGURE OUTPUT ${ASSEMBLY} @ONLY CONTENT [[
.section .rodata
.globl @SYMBOL@
.globl @SYMBOL@_end
@SYMBOL@:
.incbin "@FILE@"
@SYMBOL@_end:
.byte 0
.section .note.GNU-stack, "", @progbits
]])
  set_source_files_properties(${ASSEMBLY} PROPERTIES OBJECT_DEPENDS "${FILE}")
  target_sources(${TARGET} PRIVATE ${ASSEMBLY})
endfunction()
