/** Output to a terminal or a file. */
@NullMarked
package dev.nibble.cli.terminal;

import org.jspecify.annotations.NullMarked;
