/** What a person sees while a run goes on. */
@NullMarked
package dev.nibble.recipes.progress;

import org.jspecify.annotations.NullMarked;
