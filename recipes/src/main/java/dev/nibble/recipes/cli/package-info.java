/** The {@code nibble} command. Picocli stays in here. */
@NullMarked
package dev.nibble.recipes.cli;

import org.jspecify.annotations.NullMarked;
