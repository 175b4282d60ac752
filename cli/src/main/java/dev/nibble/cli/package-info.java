/** The {@code nibble} command. Picocli stays in here. */
@NullMarked
package dev.nibble.cli;

import org.jspecify.annotations.NullMarked;
