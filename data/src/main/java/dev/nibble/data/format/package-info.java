/**
 * Prompt formats: how the columns of a row become text, and which of it is supervised.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.data.format;

import org.jspecify.annotations.NullMarked;
