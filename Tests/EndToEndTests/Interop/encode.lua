-- encode.lua MODEL SENTENCES: prints one line of numbers for each line of the file SENTENCES.
local st = require "sentence_transformers"
local model = st.SentenceTransformer(arg[1])
local sentences = {}
for line in io.lines(arg[2]) do sentences[#sentences + 1] = line end
local embeddings = model:encode(sentences)
for i = 1, #embeddings do
  local row = {}
  for j = 1, embeddings.dim do row[j] = string.format("%.9g", embeddings[i][j]) end
  print(table.concat(row, " "))
end
