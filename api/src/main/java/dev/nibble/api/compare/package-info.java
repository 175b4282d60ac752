/** Weight formats of a recipe's base compared with each other: what is asked, and what came out. */
@NullMarked
package dev.nibble.api.compare;

import org.jspecify.annotations.NullMarked;
