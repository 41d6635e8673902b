"""What every reader's scene has to state before its pixels are believed."""
