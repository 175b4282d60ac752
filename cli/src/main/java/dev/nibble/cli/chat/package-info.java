/** A conversation in the terminal, or between pipes. */
@NullMarked
package dev.nibble.cli.chat;

import org.jspecify.annotations.NullMarked;
