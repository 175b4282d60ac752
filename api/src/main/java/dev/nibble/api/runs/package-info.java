/** Where a recipe becomes objects: the only place that knows both sides. */
@NullMarked
package dev.nibble.api.runs;

import org.jspecify.annotations.NullMarked;
