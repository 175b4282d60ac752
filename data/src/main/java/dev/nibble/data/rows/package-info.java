/** Dataset rows, and sources that stream them. */
@NullMarked
package dev.nibble.data.rows;

import org.jspecify.annotations.NullMarked;
