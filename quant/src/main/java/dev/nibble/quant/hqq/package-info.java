/**
 * Half-quadratic quantisation (HQQ): integers of few bits whose zero points are fitted to the
 * weights alone, in the layout that transformers saves.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.quant.hqq;

import org.jspecify.annotations.NullMarked;
