/**
 * A format for each weight of a model: the choice under a budget, and the format that delegates to
 * the chosen ones.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.quant.plan;

import org.jspecify.annotations.NullMarked;
