/** Lines that a person types, and signals. JLine stays in here. */
@NullMarked
package dev.nibble.cli.input;

import org.jspecify.annotations.NullMarked;
