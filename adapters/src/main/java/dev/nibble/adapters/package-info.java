/**
 * Adapters (LoRA, IA3, VeRA), the linear maps they wrap, everything that trains, and PEFT's files.
 * Knows no model family and no recipe.
 *
 * @nibble.internal
 */
@NullMarked
package dev.nibble.adapters;

import org.jspecify.annotations.NullMarked;
