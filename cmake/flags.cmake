# secondorder_flags: warnings, optimization and sanitizers of our own sources.

add_library(secondorder_flags INTERFACE)
target_compile_options(secondorder_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -ffunction-sections -fdata-sections)
if(SECONDORDER_WERROR)
  target_compile_options(secondorder_flags INTERFACE -Werror)
endif()

if(SECONDORDER_SANITIZE)
  # Everywhere, not on our targets alone: containers shared across objects must agree on annotations.
  add_compile_options(-fsanitize=${SECONDORDER_SANITIZE} -fno-sanitize-recover=all
    -fno-omit-frame-pointer -g1)
  add_link_options(-fsanitize=${SECONDORDER_SANITIZE})
endif()
