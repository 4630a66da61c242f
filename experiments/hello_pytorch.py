# hello_pytorch.py - trains the network for hello_pytorch.c: on which of the 16 fields of a board
# does a point lie? The last seven lines save the weights of any model as safetensors; with the
# package of that name it is  safetensors.torch.save_file(model.state_dict(), "board.safetensors")
import collections, json, struct, torch
from torch.nn import Linear, ReLU, Sequential

body = Sequential(Linear(2, 64), ReLU(), Linear(64, 64), ReLU())
model = Sequential(collections.OrderedDict(features=body, classifier=Linear(64, 16)))
adam = torch.optim.Adam(model.parameters(), 0.01)
for step in range(2000):
    x = 4 * torch.rand(256, 2)
    field = 4 * x[:, 0].long() + x[:, 1].long()
    adam.zero_grad()
    torch.nn.functional.cross_entropy(model(x), field).backward()
    adam.step()

head, data = {}, b""
for name, v in model.state_dict().items():
    at, data = len(data), data + v.float().numpy().tobytes()
    head[name] = {"dtype": "F32", "shape": list(v.shape), "data_offsets": [at, len(data)]}
head = json.dumps(head).encode()
with open("board.safetensors", "wb") as file:
    file.write(struct.pack("<Q", len(head)) + head + data)
