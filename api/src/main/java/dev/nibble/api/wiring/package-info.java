/**
 * The objects that a recipe's words stand for: the only place that knows both sides.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.api.wiring;

import org.jspecify.annotations.NullMarked;
