/**
 * Quantities and paths in words.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.api.text;

import org.jspecify.annotations.NullMarked;
