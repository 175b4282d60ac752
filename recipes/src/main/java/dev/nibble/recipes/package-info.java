@NullMarked
package dev.nibble.recipes;

import org.jspecify.annotations.NullMarked;
