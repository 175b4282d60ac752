/** The recipe: what a run is made of, the table of its keys, and the strict reader. */
@NullMarked
package dev.nibble.recipes.recipe;

import org.jspecify.annotations.NullMarked;
