// write_seeds FOLDER
#include "seeds.h"

int main(int count, char** words) {
  if (count != 2) return 2;
  rondo::fuzz::write_seeds(words[1]);
  return 0;
}
