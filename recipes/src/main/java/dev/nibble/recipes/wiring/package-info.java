/** Where a recipe becomes objects: the only place that knows both sides. */
@NullMarked
package dev.nibble.recipes.wiring;

import org.jspecify.annotations.NullMarked;
