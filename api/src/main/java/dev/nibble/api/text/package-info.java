/** Quantities and paths in words. */
@NullMarked
package dev.nibble.api.text;

import org.jspecify.annotations.NullMarked;
