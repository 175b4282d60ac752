/**
 * Checkpoints of AWQ (activation-aware weight quantisation), which are read; there is no solver.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.quant.awq;

import org.jspecify.annotations.NullMarked;
