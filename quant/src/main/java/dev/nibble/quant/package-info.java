/**
 * Weight formats: how frozen matrices are brought to few bits and read from checkpoints. Formats
 * are in packages of their own.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.quant;

import org.jspecify.annotations.NullMarked;
