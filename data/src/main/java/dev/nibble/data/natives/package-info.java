/**
 * Native libraries that others unpack and load.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.data.natives;

import org.jspecify.annotations.NullMarked;
