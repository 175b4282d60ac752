/** A weight format for each matrix of a recipe's base, under a budget. */
@NullMarked
package dev.nibble.api.plan;

import org.jspecify.annotations.NullMarked;
