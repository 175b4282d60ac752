/**
 * Dataset rows, and sources that stream them.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.data.rows;

import org.jspecify.annotations.NullMarked;
