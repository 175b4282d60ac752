@NullMarked
package dev.nibble.data;

import org.jspecify.annotations.NullMarked;
