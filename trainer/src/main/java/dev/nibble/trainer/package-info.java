@NullMarked
package dev.nibble.trainer;

import org.jspecify.annotations.NullMarked;
